package org.tfflow.core.pipeline;

/**
 * A place for one thing between two threads: a newer one replaces an older one that nobody took. So a
 * slow reader sees the present, never a queue of the past.
 */
final class LatestFrame<T> {
    private T frame;
    private boolean closed;
    private long dropped;

    /** Leaves a frame; whether it replaced one. After close it is dropped. */
    synchronized boolean offer(T newest) {
        boolean replaced = frame != null || closed;
        if (replaced) {
            dropped++;
        }
        frame = closed ? null : newest;
        notifyAll();
        return replaced;
    }

    /** Waits for a frame and takes it; null once closed. */
    synchronized T take() throws InterruptedException {
        while (frame == null && !closed) {
            wait();
        }
        T taken = frame;
        frame = null;
        return taken;
    }

    /** How many frames nobody took. */
    synchronized long dropped() {
        return dropped;
    }

    synchronized boolean isClosed() {
        return closed;
    }

    /** Ends all waiting. */
    synchronized void close() {
        closed = true;
        frame = null;
        notifyAll();
    }
}
