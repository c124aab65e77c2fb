plugins {
    alias(libs.plugins.android.application)
}

android {
    namespace = "org.tfflow.demo"
    compileSdk = 36

    defaultConfig {
        applicationId = "org.tfflow.demo"
        minSdk = 24
        targetSdk = 36
        versionCode = 1
        versionName = "0.1.0"
        ndk {
            abiFilters += listOf("arm64-v8a", "armeabi-v7a")
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }

    // LiteRT maps the file into memory: it must not be compressed.
    androidResources {
        noCompress += "tflite"
    }

    testOptions {
        unitTests.all { it.useJUnitPlatform() }
    }
}

dependencies {
    implementation(project(":flowcore"))
    implementation(libs.litert)

    testImplementation(libs.junit.jupiter)
    testImplementation(libs.json) // Android's own only throws on a desktop
    testRuntimeOnly(libs.junit.platform.launcher)
}
