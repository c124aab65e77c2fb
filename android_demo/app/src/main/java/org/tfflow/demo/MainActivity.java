package org.tfflow.demo;

import android.Manifest;
import android.app.Activity;
import android.content.ActivityNotFoundException;
import android.content.Context;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.hardware.camera2.CameraAccessException;
import android.hardware.camera2.CameraManager;
import android.net.Uri;
import android.os.Bundle;
import android.util.Log;
import android.widget.RadioButton;
import android.widget.TextView;
import org.tfflow.core.EngineLadder;
import org.tfflow.core.Fit;
import org.tfflow.core.FlowPipeline;
import org.tfflow.core.FlowPipelineOptions;
import org.tfflow.core.Frame;
import org.tfflow.core.FramePipeline;
import org.tfflow.core.Overlay;
import org.tfflow.core.PipelineThread;
import org.tfflow.core.ViewMode;
import org.tfflow.core.ViewModes;

/** The first screen: the camera's or a video's frames with their flow, and the stages' times. */
public final class MainActivity extends Activity implements FrameSource.Receiver {
    private static final int ASK_CAMERA = 1;
    private static final int CHOOSE_VIDEO = 2;
    private static final String VIDEO = "video";
    private static final String MODE = "mode";
    private static final int OPACITY = 160;
    private static final float MAX_FLOW = 30; // px of a frame of about 640 x 480
    private static final int ARROW_STEP = 24; // px, likewise
    private static final FlowPipelineOptions COLORS =
            FlowPipelineOptions.standard()
                    .withFit(Fit.LETTERBOX)
                    .withMaxFlow(MAX_FLOW)
                    .withOpacity(OPACITY)
                    .withFastColors();

    private final ViewModes modes = new ViewModes();
    private FlowView view;
    private TextView text;
    private ShippedModels models; // null: the assets are damaged, and the screen says so
    private Uri video; // null: the camera
    private FrameSource source;
    private boolean asked;
    // Other threads read them too.
    private volatile Runner runner;
    private volatile String notice = ""; // why there are no frames

    /** A pipeline on its thread, and what the screen says of it. */
    private final class Runner implements PipelineThread.Listener {
        private final FramePipeline pipeline;
        private final EngineLadder ladder; // null: detection, on the CPU
        private final PipelineThread thread;

        Runner(FramePipeline pipeline, EngineLadder ladder) {
            this.pipeline = pipeline;
            this.ladder = ladder;
            thread = new PipelineThread(pipeline, this);
        }

        /** What runs the networks and why, what can't be chosen, and why there are no frames. */
        private String report() {
            String report = ladder == null ? "CPU" : ladder.report();
            for (String more : new String[] {modes.reason(ViewMode.DETECTION), notice}) {
                report += more == null || more.isEmpty() ? "" : "\n" + more;
            }
            return report + "\n\n";
        }

        private void tell(String lines) {
            runOnUiThread(
                    () -> {
                        if (runner == this) { // not one that was left behind
                            text.setText(lines);
                        }
                    });
        }

        @Override
        public void onReady() {
            tell(report());
        }

        @Override
        public void onOverlay(Overlay overlay) {
            tell(report()
                    + pipeline.statistics().summary()
                    + getString(R.string.dropped, thread.dropped()));
            runOnUiThread(
                    () -> {
                        if (runner == this) {
                            view.show(overlay);
                        }
                    });
        }

        @Override
        public void onError(Throwable error) {
            Log.e("tfflow", "the pipeline failed", error);
            tell(String.valueOf(error.getMessage()));
        }
    }

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        setContentView(R.layout.main);
        view = findViewById(R.id.view);
        text = findViewById(R.id.text);
        try {
            models = new ShippedModels(getAssets());
            if (models.classes() == null) {
                modes.disable(ViewMode.DETECTION, getString(R.string.no_detector));
            }
            view.setClasses(models.classes());
        } catch (IllegalArgumentException error) {
            Log.e("tfflow", "the assets are damaged", error);
            text.setText(error.getMessage());
        }
        if (state != null) {
            modes.choose(ViewMode.valueOf(state.getString(MODE, ViewMode.COLORS.name())));
            String file = state.getString(VIDEO);
            video = file == null ? null : Uri.parse(file);
        }
        bind(R.id.colors, ViewMode.COLORS);
        bind(R.id.arrows, ViewMode.ARROWS);
        bind(R.id.objects, ViewMode.DETECTION);
        findViewById(R.id.camera).setOnClickListener(button -> show(null));
        findViewById(R.id.video).setOnClickListener(button -> chooseVideo());
        findViewById(R.id.benchmark)
                .setOnClickListener(
                        button -> startActivity(new Intent(this, BenchmarkActivity.class)));
        findViewById(R.id.benchmark).setEnabled(models != null);
    }

    private void bind(int id, ViewMode mode) {
        RadioButton button = findViewById(id);
        button.setEnabled(models != null && modes.reason(mode) == null);
        button.setChecked(modes.current() == mode);
        button.setOnClickListener(pressed -> choose(mode));
    }

    private void choose(ViewMode mode) {
        boolean sameNetworks =
                (mode == ViewMode.DETECTION) == (modes.current() == ViewMode.DETECTION);
        if (!modes.choose(mode)) {
            return;
        }
        if (sameNetworks && runner != null && runner.pipeline instanceof FlowPipeline) {
            ((FlowPipeline) runner.pipeline).paintAs(painting());
        } else if (!sameNetworks) {
            stop();
            start();
        }
    }

    private FlowPipelineOptions painting() {
        return modes.current() == ViewMode.ARROWS ? COLORS.withArrows(ARROW_STEP) : COLORS;
    }

    @Override
    protected void onResume() {
        super.onResume();
        start();
    }

    /** The frames that the user has chosen, through the networks that the mode needs. */
    private void start() {
        notice = "";
        if (models == null) {
            return;
        }
        if (modes.current() == ViewMode.DETECTION) {
            runner = new Runner(models.detection(), null);
        } else {
            EngineLadder ladder = models.ladder();
            runner = new Runner(new FlowPipeline(ladder, painting()), ladder);
        }
        if (video != null) {
            source = new VideoSource(this, video, this);
        } else if (checkSelfPermission(Manifest.permission.CAMERA)
                == PackageManager.PERMISSION_GRANTED) {
            openCamera();
        } else if (!asked) {
            asked = true; // the question takes the screen: it comes back to onResume
            requestPermissions(new String[] {Manifest.permission.CAMERA}, ASK_CAMERA);
        } else {
            onFailure(getString(R.string.needs_camera));
        }
    }

    private void openCamera() {
        CameraSource camera =
                new CameraSource((CameraManager) getSystemService(Context.CAMERA_SERVICE), this);
        source = camera;
        try {
            int degrees = 90 * getWindowManager().getDefaultDisplay().getRotation();
            if (!camera.open(degrees)) {
                onFailure(getString(R.string.no_camera));
            }
        } catch (CameraAccessException | RuntimeException error) {
            // RuntimeException: a permission taken back, a camera unplugged, a driver's own.
            onFailure(getString(R.string.camera_failed, error.getMessage()));
        }
    }

    @Override
    protected void onPause() {
        stop();
        super.onPause();
    }

    /** The source first: it still gives frames to the pipeline, which ends by itself. */
    private void stop() {
        if (source != null) {
            source.close();
            source = null;
        }
        if (runner != null) {
            runner.thread.end();
            runner = null;
        }
    }

    private void chooseVideo() {
        Intent intent = new Intent(Intent.ACTION_OPEN_DOCUMENT);
        intent.addCategory(Intent.CATEGORY_OPENABLE);
        intent.setType("video/*");
        try {
            startActivityForResult(intent, CHOOSE_VIDEO);
        } catch (ActivityNotFoundException error) {
            onFailure(getString(R.string.no_picker));
        }
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        super.onActivityResult(request, result, data);
        if (request == CHOOSE_VIDEO && result == RESULT_OK && data != null) {
            video = data.getData(); // onResume follows
        }
    }

    /** From now on a video, or the camera. */
    private void show(Uri newVideo) {
        stop();
        video = newVideo;
        asked = false; // who presses the button may be asked again
        start();
    }

    @Override
    protected void onSaveInstanceState(Bundle state) {
        super.onSaveInstanceState(state);
        state.putString(MODE, modes.current().name());
        state.putString(VIDEO, video == null ? null : video.toString());
    }

    @Override
    public void onFrame(Frame frame) {
        Runner now = runner;
        if (now != null) {
            now.thread.submit(frame);
        }
    }

    @Override
    public void onFailure(String reason) {
        notice = reason;
        runOnUiThread(() -> text.setText(reason));
    }
}
