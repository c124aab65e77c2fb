/** Networks: what goes in and comes out, who runs them, and whether they compute rightly. */
@NullMarked
package org.tfflow.core.network;

import org.jspecify.annotations.NullMarked;
