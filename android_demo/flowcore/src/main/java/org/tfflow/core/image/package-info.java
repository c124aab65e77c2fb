/** Pictures and flow fields: a camera's planes to RGB, upright, at a network's size; flow as colours and arrows. */
@NullMarked
package org.tfflow.core.image;

import org.jspecify.annotations.NullMarked;
