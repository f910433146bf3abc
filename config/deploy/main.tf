# AWS: what the runner may read and write.

locals {
  # What is listed: all below a source's prefix, and the folder of a single file.
  listed = concat(
    [for s in var.sources : { bucket = s.bucket, prefix = s.prefix == "" ? null : "${s.prefix}/*" }],
    [for f in var.source_files : { bucket = f.bucket, prefix = "${dirname(f.key)}/" }],
  )

  # What is read, as ARNs.
  read = concat(
    [for s in var.sources : join("/", compact(["arn:aws:s3:::${s.bucket}", s.prefix, "*"]))],
    [for f in var.source_files : "arn:aws:s3:::${f.bucket}/${f.key}"],
  )

  bucket_arn = "arn:aws:s3:::${var.bucket}"
  documents  = "${local.bucket_arn}/${var.delivery_prefix}/*"
  leases     = "${var.lease_prefix}/lease/"
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = var.trusted_services
    }
  }
}

data "aws_iam_policy_document" "runner" {
  dynamic "statement" {
    for_each = local.listed

    content {
      sid       = "ListSource${statement.key}"
      actions   = ["s3:ListBucket"]
      resources = ["arn:aws:s3:::${statement.value.bucket}"]

      dynamic "condition" {
        for_each = statement.value.prefix == null ? [] : [statement.value.prefix]

        content {
          test     = "StringLike"
          variable = "s3:prefix"
          values   = [condition.value]
        }
      }
    }
  }

  statement {
    sid       = "ReadSources"
    actions   = ["s3:GetObject"]
    resources = local.read
  }

  # A document is written only where nothing lies yet: without If-None-Match
  # the request is refused.
  statement {
    sid       = "CreateDocuments"
    actions   = ["s3:PutObject"]
    resources = [local.documents]

    condition {
      test     = "Null"
      variable = "s3:if-none-match"
      values   = ["false"]
    }
  }

  statement {
    sid       = "CompareDocuments"
    actions   = ["s3:GetObject"]
    resources = [local.documents]
  }

  # Before a month is closed: does another document lie under one's number?
  statement {
    sid       = "ListDocuments"
    actions   = ["s3:ListBucket"]
    resources = [local.bucket_arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${var.delivery_prefix}/*"]
    }
  }

  statement {
    sid       = "HoldLeases"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${local.bucket_arn}/${local.leases}*"]
  }

  # Without it S3 says of a lease that is not there that it is forbidden.
  statement {
    sid       = "MissLeases"
    actions   = ["s3:ListBucket"]
    resources = [local.bucket_arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${local.leases}*"]
    }
  }

  dynamic "statement" {
    for_each = length(var.source_kms_key_arns) > 0 ? [var.source_kms_key_arns] : []

    content {
      sid       = "DecryptSources"
      actions   = ["kms:Decrypt"]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = var.bucket_kms_key_arn == null ? [] : [var.bucket_kms_key_arn]

    content {
      sid       = "EncryptBucket"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role" "runner" {
  name               = var.name
  description        = "chargeback: reads AI logs, delivers documents, holds the lease"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "runner" {
  name   = var.name
  role   = aws_iam_role.runner.id
  policy = data.aws_iam_policy_document.runner.json
}

resource "aws_iam_instance_profile" "runner" {
  count = contains(var.trusted_services, "ec2.amazonaws.com") ? 1 : 0

  name = var.name
  role = aws_iam_role.runner.name
}

# AWS: the bucket for documents and leases.

resource "aws_s3_bucket" "this" {
  count = var.create_bucket ? 1 : 0

  bucket = var.bucket

  lifecycle {
    prevent_destroy = true # it holds what was booked
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  count = var.create_bucket ? 1 : 0

  bucket                  = aws_s3_bucket.this[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "this" {
  count = var.create_bucket ? 1 : 0

  bucket = aws_s3_bucket.this[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  count = var.create_bucket && var.bucket_kms_key_arn != null ? 1 : 0

  bucket = aws_s3_bucket.this[0].id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.bucket_kms_key_arn
    }
  }
}

# A lease is written anew all the time; what it was before is of no use. The
# last version must stay: it counts the lease's holders.
resource "aws_s3_bucket_lifecycle_configuration" "this" {
  count      = var.create_bucket ? 1 : 0
  depends_on = [aws_s3_bucket_versioning.this]

  bucket = aws_s3_bucket.this[0].id

  rule {
    id     = "old-leases"
    status = "Enabled"

    filter {
      prefix = local.leases
    }

    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }
}

# Google Cloud: the ledger, and who may write it.

resource "google_service_account" "runner" {
  account_id   = var.name
  display_name = "chargeback"
  description  = "Writes the ledger of what AI requests cost and who owes it"
}

# No default expiration of tables: the ledger would vanish by itself.
resource "google_bigquery_dataset" "ledger" {
  dataset_id                 = var.dataset
  location                   = var.location
  description                = "What AI requests cost and who owes it: chargeback's ledger"
  labels                     = var.labels
  delete_contents_on_destroy = false

  lifecycle {
    prevent_destroy = true # a change of the location would make it anew, empty
  }
}

resource "google_bigquery_dataset_iam_member" "runner" {
  dataset_id = google_bigquery_dataset.ledger.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = "serviceAccount:${google_service_account.runner.email}"
}

resource "google_project_iam_member" "runner" {
  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = "serviceAccount:${google_service_account.runner.email}"
}

# Google Cloud: the bucket that large loads go through.

resource "google_storage_bucket" "staging" {
  count = var.staging_bucket == null ? 0 : 1

  name                        = var.staging_bucket
  location                    = var.location
  labels                      = var.labels
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true # what lies here is on its way into the ledger, and is staged again

  # What a runner that died left behind.
  lifecycle_rule {
    condition {
      age = 1
    }
    action {
      type = "Delete"
    }
  }

  # Or every file would be kept, and paid for, seven days more.
  soft_delete_policy {
    retention_duration_seconds = 0
  }
}

# objectUser writes, reads and deletes objects; a load also asks for the bucket
# itself (storage.buckets.get), which legacyBucketReader adds.
resource "google_storage_bucket_iam_member" "runner" {
  for_each = var.staging_bucket == null ? toset([]) : toset(["roles/storage.objectUser", "roles/storage.legacyBucketReader"])

  bucket = google_storage_bucket.staging[0].name
  role   = each.value
  member = "serviceAccount:${google_service_account.runner.email}"
}
