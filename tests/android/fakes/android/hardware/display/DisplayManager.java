package android.hardware.display;

import org.tfflow.fakes.Phone;

public final class DisplayManager {
    public interface DisplayListener {
        void onDisplayAdded(int display);

        void onDisplayRemoved(int display);

        void onDisplayChanged(int display);
    }

    public void registerDisplayListener(DisplayListener listener, android.os.Handler handler) {
        Phone.displayListener = listener;
    }

    public void unregisterDisplayListener(DisplayListener listener) {
        Phone.displayListener = null;
    }
}
