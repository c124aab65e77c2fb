package com.google.ai.edge.litert;

/** Compile-only: what the app uses of the real one. */
public final class TensorType {
    public enum ElementType {
        INT,
        FLOAT,
        INT8,
        BOOLEAN,
        INT64
    }

    public static final class Layout {
        public java.util.List<Integer> getDimensions() {
            throw new UnsupportedOperationException("stub");
        }
    }

    public ElementType getElementType() {
        throw new UnsupportedOperationException("stub");
    }

    public Layout getLayout() {
        throw new UnsupportedOperationException("stub");
    }
}
