package android.app;

/** Compile-only: what the app uses of the real one. */
public class Activity extends android.content.Context {
    protected void onCreate(android.os.Bundle state) {}

    protected void onResume() {}

    protected void onPause() {}

    public android.view.Window getWindow() {
        throw new UnsupportedOperationException("stub");
    }

    public android.view.WindowManager getWindowManager() {
        throw new UnsupportedOperationException("stub");
    }

    public void setContentView(android.view.View view) {}

    public final void requestPermissions(String[] permissions, int code) {}

    public final void runOnUiThread(Runnable task) {}

    @Override
    public Object getSystemService(String name) {
        throw new UnsupportedOperationException("stub");
    }

    @Override
    public android.content.res.AssetManager getAssets() {
        throw new UnsupportedOperationException("stub");
    }

    @Override
    public android.content.res.Resources getResources() {
        throw new UnsupportedOperationException("stub");
    }

    @Override
    public int checkSelfPermission(String permission) {
        throw new UnsupportedOperationException("stub");
    }
}
