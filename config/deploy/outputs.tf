output "role_arn" {
  description = "Role that the machine takes on in AWS."
  value       = aws_iam_role.runner.arn
}

output "instance_profile" {
  description = "The same role for an EC2 instance; null where EC2 is not trusted with it."
  value       = one(aws_iam_instance_profile.runner[*].name)
}

output "service_account" {
  description = "Account that the machine uses in Google Cloud."
  value       = google_service_account.runner.email
}

output "config" {
  description = "What belongs into chargeback.yaml."
  value = join("\n", compact([
    "warehouse:",
    "  engine: bigquery",
    "  project: ${var.project}",
    "  dataset: ${google_bigquery_dataset.ledger.dataset_id}",
    "  location: ${var.location}",
    var.staging_bucket == null ? "" : "  staging: gs://${google_storage_bucket.staging[0].name}/chargeback",
    "  lease:",
    "    url: s3://${var.bucket}/${var.lease_prefix}",
    "    s3: {region: ${var.aws_region}}",
    "invoices:",
    "  deliver_to:",
    "    url: s3://${var.bucket}/${var.delivery_prefix}",
    "    s3: {region: ${var.aws_region}}",
  ]))
}
