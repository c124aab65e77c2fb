package com.google.ai.edge.litert;

/** Compile-only: all that Java can use of the real one, as litert_api.txt says. */
public abstract class JniHandle implements AutoCloseable {
    public JniHandle(long a0) {}
    protected final void assertNotDestroyed() {}
    public final void close() {}
    protected abstract void destroy() ;
}
