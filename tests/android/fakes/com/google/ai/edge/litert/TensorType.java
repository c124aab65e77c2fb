package com.google.ai.edge.litert;

import java.util.List;
import java.util.Objects;
import org.jetbrains.annotations.NotNull;
import org.jetbrains.annotations.Nullable;

public final class TensorType {
    public enum ElementType {
        INT,
        FLOAT,
        INT8,
        BOOLEAN,
        INT64
    }

    public static final class Layout {
        private final List<Integer> dimensions;

        public Layout(@NotNull List<Integer> dimensions) {
            this.dimensions = Objects.requireNonNull(dimensions, "dimensions");
        }

        @NotNull
        public List<Integer> getDimensions() {
            return dimensions;
        }
    }

    private final ElementType type;
    private final Layout layout;

    public TensorType(@NotNull ElementType elementType, @Nullable Layout layout) {
        type = Objects.requireNonNull(elementType, "elementType");
        this.layout = layout;
    }

    @NotNull
    public ElementType getElementType() {
        return type;
    }

    @Nullable
    public Layout getLayout() {
        return layout;
    }
}
