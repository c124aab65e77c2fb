package android.app;

/** Compile-only: what the app uses of the real one. */
public class Activity extends android.view.ContextThemeWrapper
        implements android.content.ComponentCallbacks2 {
    public static final int RESULT_OK = -1;

    protected void onCreate(android.os.Bundle state) {}

    protected void onStart() {}

    protected void onResume() {}

    protected void onPause() {}

    protected void onStop() {}

    protected void onDestroy() {}

    @Override
    public void onTrimMemory(int level) {}

    public boolean isFinishing() {
        throw new UnsupportedOperationException("stub");
    }

    public android.content.Intent getIntent() {
        throw new UnsupportedOperationException("stub");
    }

    protected void onSaveInstanceState(android.os.Bundle state) {}

    protected void onActivityResult(int request, int result, android.content.Intent data) {}

    public android.view.WindowManager getWindowManager() {
        throw new UnsupportedOperationException("stub");
    }

    public <T extends android.view.View> T findViewById(int id) {
        throw new UnsupportedOperationException("stub");
    }

    public void setContentView(int layout) {}

    public void startActivityForResult(android.content.Intent intent, int code) {}

    public final void requestPermissions(String[] permissions, int code) {}

    public final void runOnUiThread(Runnable task) {}
}
