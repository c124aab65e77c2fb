/** Flow networks on Android, with LiteRT. {@link org.tfflow.litert.OpticalFlow} is where to begin. */
@NullMarked
package org.tfflow.litert;

import org.jspecify.annotations.NullMarked;
