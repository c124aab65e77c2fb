package android.view;

import org.tfflow.fakes.Phone;

public final class Display {
    public int getRotation() {
        return Phone.displayRotation;
    }
}
