internal import Glibc

/// Keeps libmilter's own thread for signals waiting for ever; in the whole process this is `sigwait`.
///
/// smfi_main starts a thread that calls sigwait(3) for HUP, TERM and INT, and takes HUP for the wish to stop.
/// Whoever else waits for signals in the process competes with it: the kernel gives a signal to any
/// thread that waits, so that a second HUP, which comes while the first is being handled, would end the
/// daemon. libmilter knows no way to do without that thread. It finds this function in place of the C
/// library's, for a program's own symbols come first; `sigwaitinfo` waits as ever.
@_cdecl("sigwait")
public func waitForNoSignal(_ signals: UnsafeRawPointer?, _ number: UnsafeMutableRawPointer?)
    -> CInt
{
    while true { pause() }
}
