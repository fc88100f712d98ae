"""Cells → x: what is fitted on the training rows, and the rows a network reads.

- `calendar`: dates to numbers
- `numbers`: columns to features: numbers filled and flagged, texts as they are; without scikit-learn
- `scaling`: numbers to scaled numbers, a function for each method
- `encoding`: texts to numbers, a function for each method
- `target`: the target's scale
- `preprocessing`: all of these together

Others call `preprocessing.{fit_preprocessing, Preprocessing, describe}`, `target`, `numbers` and what
`calendar`, `scaling` and `encoding` have fitted. Never imports training, model, engine, pipeline or runs.
"""
