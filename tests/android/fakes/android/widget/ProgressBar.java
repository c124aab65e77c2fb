package android.widget;

public class ProgressBar extends android.view.View {
    protected int progress;

    public ProgressBar(android.content.Context context) {
        super(context);
    }

    public void setProgress(int progress) {
        this.progress = progress;
    }

    public int getProgress() {
        return progress;
    }
}
