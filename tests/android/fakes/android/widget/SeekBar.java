package android.widget;

public class SeekBar extends AbsSeekBar {
    public interface OnSeekBarChangeListener {
        void onProgressChanged(SeekBar bar, int progress, boolean byUser);

        void onStartTrackingTouch(SeekBar bar);

        void onStopTrackingTouch(SeekBar bar);
    }

    private OnSeekBarChangeListener listener;

    public SeekBar(android.content.Context context) {
        super(context);
    }

    public void setOnSeekBarChangeListener(OnSeekBarChangeListener listener) {
        this.listener = listener;
    }

    /** As a finger does. */
    public void drag(int to) {
        progress = to;
        listener.onProgressChanged(this, to, true);
    }
}
