"""Cells → x: the numbers that a network reads, by what is fitted on the training rows.

- `calendar`: dates to numbers; `date_parts`: their parts as categories
- `numbers`: columns to features: numbers filled and flagged, texts as they are
- `scaling`: numbers to scaled numbers, a function for each method
- `encoding`: categories to numbers, a function for each method
- `target`: the target's scale
- `tree_inputs`: cells as numbers for trees, which need no scaling
- `equal_blocks`: rows in blocks of one size, whatever size they came in
- `preprocessing`: from the cells of a row to x, by all of these

Others call `preprocessing.{fit_preprocessing, Preprocessing, describe}`,
`target.{fit_target, TargetScaling}`, `numbers.{Feature, fit_features, count_numbers, count_levels}`,
`encoding.{Encoder, MOST_ONEHOT_LEVELS}`, `tree_inputs.fit_tree_inputs`,
`date_parts.{date_options, fit_date_parts}` and `calendar.SECONDS_PER_DAY`. Never imports model, training,
engine, pipeline or runs: the same x suits any model.
"""
