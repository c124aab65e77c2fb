package org.tfflow.desktop;

import com.sun.jna.IntegerType;
import com.sun.jna.Native;

/** C's size_t. Public, with a constructor without arguments, since JNA makes it too. */
public final class Size extends IntegerType {
    private static final long serialVersionUID = 1L;

    /** 0. */
    public Size() {
        this(0);
    }

    /** A number that is not negative. */
    public Size(long value) {
        super(Native.SIZE_T_SIZE, value, true);
    }
}
