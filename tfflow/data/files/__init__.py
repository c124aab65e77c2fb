"""Files: images, flow in the data sets' formats, video."""
