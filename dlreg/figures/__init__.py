"""Figures good enough for a slide, from plain values."""
