/**
 * From camera frames to a picture of their optical flow, in plain Java 8, without Android's classes.
 * Each package uses those before it: image, network, detection, pipeline.
 *
 * <p>Images are RGB, rows from the top, three bytes for a pixel. Flow is (u, v) in pixels, u to the
 * right and v downwards, from the first image to the second. A size is width, then height.
 *
 * <p>Nothing is null but what is marked {@code @Nullable}.
 */
package org.tfflow.core;
