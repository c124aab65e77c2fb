package com.google.ai.edge.litert;

import org.jetbrains.annotations.NotNull;

/** Compile-only: all that Java can use of the real one, as litert_api.txt says. */
public final class LiteRtException extends Exception {
    private static final long serialVersionUID = 1L;

    public LiteRtException(int a0, @NotNull String a1) {}
    public LiteRtException(@NotNull Status a0, @NotNull String a1) {}
}
