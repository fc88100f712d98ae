"""Figures good enough for a slide, from plain values.

- `learning_curve`: losses by epoch; `compared_curves`: those of several runs
- `plots`: predictions, residuals, the importance of columns
- `search`: the trials of a search, what mattered, and each parameter
- `charts`: small ones for a page; `inline_svg`: a figure as an element of a page
- `limits`: how far an axis reaches, whatever lies far out
- `style`: the look they share, and fonts that have the characters of every name
- `writing`: figures as PNG, SVG or PDF
- `beside`: the loss curve drawn by a process of its own, meanwhile

Others may call all public functions. Never imports another package but `files`.
"""
