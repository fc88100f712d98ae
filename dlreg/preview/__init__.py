"""What is told before a training: its size, and what looks like a mistake."""
