/** The objects of a video's frames, by a detector that carries features along the flow. */
@NullMarked
package org.tfflow.core.detection;

import org.jspecify.annotations.NullMarked;
