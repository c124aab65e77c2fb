package android.os;

public class HandlerThread extends Thread {
    private final Looper looper = new Looper();
    private boolean ended;

    public HandlerThread(String name) {
        super(name);
    }

    @Override
    public void run() {
        try {
            while (!ended) {
                looper.tasks.take().run();
            }
        } catch (InterruptedException end) {
            throw new AssertionError(end);
        }
    }

    public Looper getLooper() {
        return looper;
    }

    public boolean quitSafely() {
        return looper.tasks.add(() -> ended = true);
    }
}
