package com.google.ai.edge.litert;

import org.jetbrains.annotations.NotNull;

public final class LiteRtException extends Exception {
    private static final long serialVersionUID = 1L;

    public LiteRtException(@NotNull Status status, @NotNull String message) {
        super(message);
    }
}
