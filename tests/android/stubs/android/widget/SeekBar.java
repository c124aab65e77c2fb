package android.widget;

/** Compile-only: what the app uses of the real one. */
public class SeekBar extends AbsSeekBar {
    public interface OnSeekBarChangeListener {
        void onProgressChanged(SeekBar bar, int progress, boolean byUser);

        void onStartTrackingTouch(SeekBar bar);

        void onStopTrackingTouch(SeekBar bar);
    }

    public SeekBar(android.content.Context context) {
        super(context);
    }

    public void setOnSeekBarChangeListener(OnSeekBarChangeListener listener) {}
}
