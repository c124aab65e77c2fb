package android.os;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

public final class Looper {
    final BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
}
