package com.google.ai.edge.litert;

/** Compile-only: what the app uses of the real one. */
public final class Environment {}
