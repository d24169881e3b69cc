import FuzzTargets
import Glibc

/// The target that this process fuzzes, named by the environment as libFuzzer has the arguments.
private let target: FuzzTarget = {
    let name = unsafe getenv("FUZZ_TARGET").map { unsafe String(cString: $0) } ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
        fatalError("FUZZ_TARGET names no target: \(FuzzTarget.allCases.map(\.rawValue))")
    }
    return target
}()

/// What libFuzzer calls for each input; a broken promise ends the process, and the input is kept.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
    do throws(BrokenPromise) {
        try target.check(input)
    } catch {
        fatalError("broken: \(error)")
    }
    return 0
}
