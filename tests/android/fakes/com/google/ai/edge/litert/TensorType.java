package com.google.ai.edge.litert;

import java.util.List;

public final class TensorType {
    public enum ElementType {
        FLOAT
    }

    public static final class Layout {
        private final List<Integer> dimensions;

        Layout(List<Integer> dimensions) {
            this.dimensions = dimensions;
        }

        public List<Integer> getDimensions() {
            return dimensions;
        }
    }

    private final Layout layout;

    TensorType(List<Integer> dimensions) {
        layout = new Layout(dimensions);
    }

    public ElementType getElementType() {
        return ElementType.FLOAT;
    }

    public Layout getLayout() {
        return layout;
    }
}
