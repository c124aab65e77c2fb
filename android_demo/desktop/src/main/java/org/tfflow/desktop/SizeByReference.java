package org.tfflow.desktop;

import com.sun.jna.Native;
import com.sun.jna.ptr.ByReference;

/** Room for a size_t that a function writes. */
public final class SizeByReference extends ByReference {
    /** Holds 0. */
    public SizeByReference() {
        super(Native.SIZE_T_SIZE);
        getPointer().clear(Native.SIZE_T_SIZE);
    }

    /** What was written. */
    public int get() {
        long value =
                Native.SIZE_T_SIZE == 8 ? getPointer().getLong(0) : getPointer().getInt(0);
        return Math.toIntExact(value);
    }
}
