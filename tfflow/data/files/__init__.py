"""Files: images, flow in the formats that data sets have, video."""
