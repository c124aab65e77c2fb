package org.tfflow.demo;

import android.Manifest;
import android.app.Activity;
import android.content.Context;
import android.content.pm.PackageManager;
import android.hardware.camera2.CameraAccessException;
import android.hardware.camera2.CameraManager;
import android.os.Bundle;
import android.util.Log;
import android.view.WindowManager;
import com.google.ai.edge.litert.Accelerator;
import org.tfflow.core.Fit;
import org.tfflow.core.FlowPipeline;
import org.tfflow.core.FlowPipelineOptions;
import org.tfflow.core.FlowPredictor;
import org.tfflow.core.Frame;
import org.tfflow.core.Overlay;
import org.tfflow.core.SelfCheck;

/** The one screen: the camera's picture with its flow, and the times of the stages. */
public final class MainActivity extends Activity
        implements FlowPipeline.Listener, CameraSource.Receiver {
    private static final int ASK_CAMERA = 1;
    private static final int OPACITY = 160;
    private static final float MAX_FLOW = 30; // px of a frame of about 640 x 480
    private static final double TOLERANCE = 0.5; // px; delegates of 16 bits differ by less

    private FlowView view;
    private ShippedModel model;
    // The camera's and the pipeline's threads read it too.
    private volatile FlowPipeline pipeline;
    private CameraSource camera;
    private boolean asked;
    private volatile String header = "";

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        getWindow().addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON);
        model = new ShippedModel(getAssets());
        view = new FlowView(this);
        setContentView(view);
    }

    @Override
    protected void onResume() {
        super.onResume();
        if (checkSelfPermission(Manifest.permission.CAMERA) == PackageManager.PERMISSION_GRANTED) {
            start();
        } else if (!asked) {
            asked = true;
            requestPermissions(new String[] {Manifest.permission.CAMERA}, ASK_CAMERA);
        } else {
            view.showText(getString(R.string.needs_camera));
        }
    }

    private void start() {
        // An int8 network is fastest on the CPU of most phones, and gives the golden numbers there.
        FlowPipelineOptions options =
                FlowPipelineOptions.standard()
                        .withFit(Fit.LETTERBOX)
                        .withMaxFlow(MAX_FLOW)
                        .withOpacity(OPACITY)
                        .withFastColors();
        pipeline =
                new FlowPipeline(
                        new LiteRtFlowEngine(getAssets(), model.file(), Accelerator.CPU), options);
        pipeline.start(this);
        camera = new CameraSource((CameraManager) getSystemService(Context.CAMERA_SERVICE), this);
        try {
            int degrees = 90 * getWindowManager().getDefaultDisplay().getRotation();
            if (!camera.open(degrees)) {
                view.showText(getString(R.string.no_camera));
            }
        } catch (CameraAccessException error) {
            onFailure("the camera can't be opened: " + error.getMessage());
        }
    }

    @Override
    protected void onPause() {
        // The camera first: it still gives frames to the pipeline.
        if (camera != null) {
            camera.close();
            camera = null;
        }
        if (pipeline != null) {
            pipeline.close();
            pipeline = null;
        }
        super.onPause();
    }

    @Override
    public void onFrame(Frame frame) {
        FlowPipeline now = pipeline;
        if (now != null) {
            now.submit(frame);
        }
    }

    @Override
    public void onFailure(String reason) {
        runOnUiThread(() -> view.showText(reason));
    }

    @Override
    public void onReady(FlowPredictor predictor) {
        SelfCheck check = model.check(predictor);
        header = (check.passes(TOLERANCE) ? "ok, " : "WRONG FLOW, ") + check + "\n";
        runOnUiThread(() -> view.showText(header));
    }

    @Override
    public void onOverlay(Overlay overlay) {
        FlowPipeline now = pipeline;
        if (now == null) {
            return;
        }
        String times = now.statistics().summary() + "dropped " + now.dropped() + " frames";
        runOnUiThread(
                () -> {
                    view.show(overlay);
                    view.showText(header + times);
                });
    }

    @Override
    public void onError(RuntimeException error) {
        Log.e("tfflow", "the pipeline failed", error);
        onFailure(String.valueOf(error.getMessage()));
    }
}
