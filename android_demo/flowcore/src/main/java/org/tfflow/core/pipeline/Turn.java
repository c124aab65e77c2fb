package org.tfflow.core.pipeline;

import java.util.concurrent.locks.ReentrantLock;

/**
 * One pipeline at a time has its networks loaded, whichever screen it belongs to: what was asked to end
 * may still be closing, and runtimes do not like to be opened on one thread while they are closed on
 * another. A phone's memory neither.
 */
final class Turn {
    static final ReentrantLock LOCK = new ReentrantLock(true);

    private Turn() {}
}
