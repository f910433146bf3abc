package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"time"
	"unsafe"

	driver "github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// run runs one statement whose rows nobody reads, task by task. The driver's own
// call polls without a pause while other threads have the last tasks of a step, at
// the cost of an eighth of a night's processor time. It needs the connection's handle,
// which the driver keeps in the first field of its Conn; where a version of the driver
// keeps something else there, its own call is used.
// It returns how many rows the statement has changed.
func run(ctx context.Context, conn *sql.Conn, text string) (changed int64, err error) {
	if !handleFirst {
		result, err := conn.ExecContext(ctx, text)
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	}
	err = conn.Raw(func(of any) error {
		c, is := of.(*driver.Conn)
		if !is {
			return fmt.Errorf("%T is not a connection of DuckDB", of)
		}
		handle := *(*mapping.Connection)(unsafe.Pointer(c))
		if err := ctx.Err(); err != nil {
			return err
		}
		interrupted := make(chan struct{})
		stop := context.AfterFunc(ctx, func() {
			defer close(interrupted)
			mapping.Interrupt(handle)
		})
		var err error
		changed, err = runOn(ctx, handle, text)
		if !stop() { // it must not hit the next statement
			<-interrupted
		}
		return err
	})
	return changed, err
}

// handleFirst says that the driver's Conn begins with the connection's handle.
var handleFirst = func() bool {
	conn := reflect.TypeFor[driver.Conn]()
	return conn.Kind() == reflect.Struct && conn.NumField() > 0 && conn.Field(0).Type == reflect.TypeFor[mapping.Connection]()
}()

func runOn(ctx context.Context, conn mapping.Connection, text string) (changed int64, err error) {
	var prepared mapping.PreparedStatement
	state := mapping.Prepare(conn, text, &prepared)
	defer mapping.DestroyPrepare(&prepared)
	if state == mapping.StateError {
		return 0, failed(ctx, mapping.PrepareError(prepared))
	}
	var pending mapping.PendingResult
	state = mapping.PendingPrepared(prepared, &pending)
	defer mapping.DestroyPending(&pending)
	if state == mapping.StateError {
		return 0, failed(ctx, mapping.PendingError(pending))
	}
	if !doTasks(pending) {
		return 0, failed(ctx, mapping.PendingError(pending))
	}
	var result mapping.Result
	state = mapping.ExecutePending(pending, &result)
	defer mapping.DestroyResult(&result)
	if state == mapping.StateError {
		return 0, failed(ctx, mapping.ResultError(&result))
	}
	return int64(mapping.RowsChanged(&result)), nil
}

// Pauses while there is no task for this thread, longer each time.
const pauseMin, pauseMax = 20 * time.Microsecond, 500 * time.Microsecond

// doTasks does tasks of a statement until there are none left; false where one failed.
func doTasks(pending mapping.PendingResult) bool {
	pause := pauseMin
	for {
		switch mapping.PendingExecuteTask(pending) {
		case mapping.PendingStateResultNotReady:
			pause = pauseMin
		case mapping.PendingStateNoTasksAvailable:
			time.Sleep(pause)
			pause = min(2*pause, pauseMax)
		case mapping.PendingStateError:
			return false
		default:
			return true
		}
	}
}

// failed is DuckDB's error, with that of ctx where it was cancelled.
func failed(ctx context.Context, message string) error {
	return errors.Join(ctx.Err(), &driver.Error{Msg: message})
}
