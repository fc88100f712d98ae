"""Cells → x: what is fitted on the training rows, and the rows a network reads.

Never imports training, model, engine, pipeline or runs.
"""
