package android.content.res;

public class Resources {
    public android.util.DisplayMetrics getDisplayMetrics() {
        android.util.DisplayMetrics metrics = new android.util.DisplayMetrics();
        metrics.density = 1;
        return metrics;
    }
}
