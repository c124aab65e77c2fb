package android.app;

import android.content.Intent;
import android.os.Bundle;
import android.view.Display;
import android.view.View;
import android.view.WindowManager;
import org.tfflow.fakes.Phone;
import org.tfflow.fakes.Screen;

public class Activity extends android.view.ContextThemeWrapper
        implements android.content.ComponentCallbacks2 {
    public static final int RESULT_OK = -1;

    public boolean finishing;
    public Intent intent = new Intent("");
    public Screen screen;

    protected void onCreate(Bundle state) {}

    protected void onStart() {}

    protected void onResume() {}

    protected void onPause() {}

    protected void onStop() {}

    protected void onDestroy() {}

    @Override
    public void onTrimMemory(int level) {}

    public boolean isFinishing() {
        return finishing;
    }

    public Intent getIntent() {
        return intent;
    }

    protected void onSaveInstanceState(Bundle state) {}

    protected void onActivityResult(int request, int result, Intent data) {}

    public WindowManager getWindowManager() {
        return () -> new Display();
    }

    @SuppressWarnings("unchecked")
    public <T extends View> T findViewById(int id) {
        return (T) screen.view(id);
    }

    public void setContentView(int layout) {
        screen = new Screen(this, Phone.names.apply(layout));
    }

    public void startActivityForResult(Intent intent, int code) {
        Phone.asked = code;
    }

    public final void requestPermissions(String[] permissions, int code) {
        Phone.questions++;
    }

    public final void runOnUiThread(Runnable task) {
        if (Thread.currentThread().getName().equals("main-screen")) {
            task.run();
        } else {
            Phone.post(task);
        }
    }
}
