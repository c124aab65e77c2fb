package android.app;

import android.content.Intent;
import android.os.Bundle;
import android.view.Display;
import android.view.View;
import android.view.WindowManager;
import java.util.HashMap;
import java.util.Map;
import org.tfflow.fakes.Phone;

public class Activity extends android.view.ContextThemeWrapper {
    public static final int RESULT_OK = -1;

    private final Map<Integer, View> views = new HashMap<>();

    protected void onCreate(Bundle state) {}

    protected void onStart() {}

    protected void onResume() {}

    protected void onPause() {}

    protected void onStop() {}

    protected void onSaveInstanceState(Bundle state) {}

    protected void onActivityResult(int request, int result, Intent data) {}

    public WindowManager getWindowManager() {
        return () -> new Display();
    }

    @SuppressWarnings("unchecked")
    public <T extends View> T findViewById(int id) {
        return (T) views.computeIfAbsent(id, Phone.views);
    }

    public void setContentView(int layout) {}

    public void startActivityForResult(Intent intent, int code) {}

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
