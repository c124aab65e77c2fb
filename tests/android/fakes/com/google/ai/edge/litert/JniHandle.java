package com.google.ai.edge.litert;

public abstract class JniHandle implements AutoCloseable {
    private boolean destroyed;

    public JniHandle(long handle) {}

    protected final void assertNotDestroyed() {
        if (destroyed) {
            throw new IllegalStateException("The handle has been destroyed.");
        }
    }

    protected abstract void destroy();

    @Override
    public final void close() {
        if (!destroyed) {
            destroyed = true;
            destroy();
        }
    }
}
