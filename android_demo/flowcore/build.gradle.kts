plugins {
    `java-library`
}

tasks.compileJava {
    // Android's Java of minSdk 24: language and library of Java 8.
    options.release = 8
    options.compilerArgs.addAll(listOf("-Xlint:all,-options"))
}

dependencies {
    api(libs.jspecify) // what may be null, for Kotlin
    testImplementation(libs.junit.jupiter)
    testRuntimeOnly(libs.junit.platform.launcher)
}

tasks.test {
    useJUnitPlatform()
}
