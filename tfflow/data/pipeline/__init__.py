"""From a data set to batches: the order of samples, decoding, augmentation, crops."""
