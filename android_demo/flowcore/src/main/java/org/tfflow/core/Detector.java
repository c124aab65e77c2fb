package org.tfflow.core;

import java.util.List;

/** Finds things in one picture; slow, so it runs on key frames only. */
public interface Detector {
    /** The things found, in pixels of the picture, not yet free of doubles. */
    List<Box> detect(RgbImage image);
}
