/** Frames in, overlays out: a thread that keeps the latest frame, its times, and the benchmark. */
@NullMarked
package org.tfflow.core.pipeline;

import org.jspecify.annotations.NullMarked;
