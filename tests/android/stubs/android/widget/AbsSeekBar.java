package android.widget;

/** Compile-only: what the app uses of the real one. */
public abstract class AbsSeekBar extends ProgressBar {
    public AbsSeekBar(android.content.Context context) {
        super(context);
    }
}
