package abi

// Log calls a function of the program's from inside the library, whose frames nothing may unwind: locks would stay
// locked, and memory be lost. So a panic, or an end of the goroutine, goes on in another goroutine, where nobody can
// recover it: the program ends, and says why.
func Log(log func(level int32, message string), level int32, message string) {
	returned := false
	defer func() {
		if returned {
			return
		}
		reason := recover()
		if reason == nil {
			reason = "a log function ended its goroutine"
		}
		go func() { panic(reason) }()
		select {}
	}()
	log(level, message)
	returned = true
}
