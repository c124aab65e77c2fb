import groovy.json.JsonSlurper

plugins {
    application
}

tasks.withType<JavaCompile>().configureEach {
    options.release = 11
}

application {
    mainClass = "org.tfflow.desktop.FlowCommand"
}

dependencies {
    implementation(project(":flowcore"))
    implementation(libs.jna)
    testImplementation(libs.junit.jupiter)
    testRuntimeOnly(libs.junit.platform.launcher)
}

// The tests of the engine run with -PlitertLibrary=/path/of/ai_edge_litert/libLiteRt.so.
tasks.test {
    useJUnitPlatform()
    val library = providers.gradleProperty("litertLibrary").orNull
    if (library != null) {
        val assets = rootProject.file("app/src/main/assets")
        val list = JsonSlurper().parse(assets.resolve("models.json")) as Map<*, *>
        val network = (list["models"] as List<*>).first() as Map<*, *>
        val model = (network["files"] as List<*>).first() as Map<*, *>
        val golden = list["golden"] as Map<*, *>
        systemProperty("tfflow.library", library)
        systemProperty("tfflow.assets", assets.path)
        systemProperty("tfflow.model", model["file"].toString())
        systemProperty("tfflow.golden", model["golden_flow"].toString())
        systemProperty("tfflow.step", golden["step"].toString())
    }
}
