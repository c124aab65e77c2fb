package com.google.ai.edge.litert;

/** Compile-only: what the app uses of the real one. */
public final class LiteRtException extends Exception {
    private static final long serialVersionUID = 1L;
}
