package bigquery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"cloud.google.com/go/bigquery"

	"chargeback/billing/warehouse"
	"chargeback/extract/record"
)

// CheckRights runs a query, and makes and drops a table where there is a dataset.
func (s *Store) CheckRights(ctx context.Context) error {
	if _, err := s.statement(ctx, task{what: "run a query", subject: "rights", content: "select 1 as x"}); err != nil {
		return err
	}
	if _, err := s.scratch.Metadata(ctx); err != nil {
		if notFound(err) {
			return nil // it is made by the first run, or by hand
		}
		return fmt.Errorf("look up dataset %s: %w", s.o.WorkDataset, wording(err))
	}
	table := s.newTable("rights")
	err := s.create(ctx, table, fields([]record.Column{{Name: "x", Type: record.Int}}))
	if err == nil {
		err = s.scratch.Table(table).Delete(ctx)
	}
	if err != nil {
		return fmt.Errorf("make and drop a table in dataset %s: %w", s.o.WorkDataset, wording(err))
	}
	return nil
}

// Facts is what is set outside of this program and decides whether it can work.
type Facts struct {
	Location            string        // as the settings have it
	DatasetLocation     string        // "" = there is no dataset yet
	WorkLocation        string        // of the dataset of work tables; "" = it is the same, or there is none yet
	BucketLocation      string        // "" = no bucket is set
	TableExpiration     time.Duration // of tables that are made in the dataset; 0 = none
	PartitionExpiration time.Duration
}

// Facts looks them up.
func (s *Store) Facts(ctx context.Context) (Facts, error) {
	f := Facts{Location: s.o.Location}
	m, err := s.dataset.Metadata(ctx)
	switch {
	case err == nil:
		f.DatasetLocation, f.TableExpiration, f.PartitionExpiration = m.Location, m.DefaultTableExpiration, m.DefaultPartitionExpiration
	case !notFound(err):
		return f, fmt.Errorf("look up dataset %s: %w", s.o.Dataset, wording(err))
	}
	if s.o.WorkDataset != s.o.Dataset {
		m, err = s.scratch.Metadata(ctx)
		switch {
		case err == nil:
			f.WorkLocation = m.Location
		case !notFound(err):
			return f, fmt.Errorf("look up dataset %s: %w", s.o.WorkDataset, wording(err))
		}
	}
	if s.staging == (bucket{}) {
		return f, nil
	}
	if _, err := s.objects(ctx); err != nil {
		return f, err
	}
	b, err := s.storage.Buckets.Get(s.staging.name).Context(ctx).Do()
	if err != nil {
		return f, fmt.Errorf("look up bucket %s: %w", s.staging.name, wording(err))
	}
	f.BucketLocation = b.Location
	return f, nil
}

// Problems says what would keep a run from working, or lose what it keeps; what
// to do stands behind each.
func (f Facts) Problems() (problems []string) {
	same := strings.EqualFold
	if f.DatasetLocation != "" && !same(f.DatasetLocation, f.Location) {
		problems = append(problems, fmt.Sprintf("the dataset lies in %s and the settings say %s: jobs would not find it; set the location to %s", f.DatasetLocation, f.Location, f.DatasetLocation))
	}
	if f.WorkLocation != "" && !same(f.WorkLocation, f.Location) {
		problems = append(problems, fmt.Sprintf("the dataset of work tables lies in %s and the settings say %s: no query reads both; use one in %s", f.WorkLocation, f.Location, f.Location))
	}
	if f.BucketLocation != "" && !loads(f.BucketLocation, f.Location) {
		problems = append(problems, fmt.Sprintf("the staging bucket lies in %s, from where no load job in %s may read; use a bucket in %s", f.BucketLocation, f.Location, f.Location))
	}
	if f.TableExpiration != 0 {
		problems = append(problems, expiring("tables", f.TableExpiration))
	}
	if f.PartitionExpiration != 0 {
		problems = append(problems, expiring("partitions", f.PartitionExpiration))
	}
	return problems
}

func expiring(what string, after time.Duration) string {
	return fmt.Sprintf("by the dataset's default, %s expire after %s, which would lose usage and closed months; \"chargeback run\" takes this off from its own tables, so take it off from the dataset after that", what, after)
}

// loads says whether a load job reads from a bucket: the multi-region US from
// all, others from their own place, and a multi-region from the places in it.
func loads(bucket, job string) bool {
	bucket, job = strings.ToLower(bucket), strings.ToLower(job)
	return job == "us" || bucket == job || job == "eu" && strings.HasPrefix(bucket, "europe-")
}

// Estimate is how many bytes a select would read, as far as that is known before
// it runs: an upper bound where a table is clustered. Nothing is read or billed.
func (s *Store) Estimate(ctx context.Context, q warehouse.Select) (int64, error) {
	text, err := s.dialect().Fill(q)
	if err != nil {
		return 0, err
	}
	status, err := s.tried(ctx, text)
	if err != nil {
		return 0, fmt.Errorf("%s: estimate: %w", called(q), err)
	}
	return status.TotalBytesProcessed, nil
}

// EstimateCompute is Estimate for Compute. It makes the work table without rows,
// so that what reads it later can be estimated, without what is in it.
func (s *Store) EstimateCompute(ctx context.Context, name string, q warehouse.Select) (int64, error) {
	text, err := s.dialect().FillOnce(q)
	if err != nil {
		return 0, err
	}
	table, err := s.newWork(name)
	if err != nil {
		return 0, err
	}
	status, err := s.tried(ctx, text)
	if err != nil {
		return 0, fmt.Errorf("estimate %s: %w", name, err)
	}
	q2, _ := status.Details.(*bigquery.QueryStatistics)
	if q2 == nil || len(q2.Schema) == 0 {
		return 0, fmt.Errorf("estimate %s: the service doesn't say which columns it has", name)
	}
	if err := s.create(ctx, table, q2.Schema); err != nil {
		return 0, fmt.Errorf("estimate %s: %w", name, err)
	}
	s.keep(name, work{table: table})
	return status.TotalBytesProcessed, nil
}

// tried is what the service says of a text that it doesn't run.
func (s *Store) tried(ctx context.Context, text string) (*bigquery.JobStatistics, error) {
	q := s.query(text)
	q.DryRun = true
	for try := 1; ; try++ {
		job, err := q.Run(ctx)
		if err == nil {
			status := job.LastStatus()
			if failed := status.Err(); failed != nil {
				return nil, wording(failed)
			}
			if status.Statistics == nil {
				return nil, errors.New("the service says nothing about it")
			}
			return status.Statistics, nil
		}
		if try == attemptsMax || !unsure(err) && !forNow(err) {
			return nil, wording(err)
		}
		if err := s.o.Sleep(ctx, pause(try)); err != nil {
			return nil, err
		}
	}
}
