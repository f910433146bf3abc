variable "name" {
  description = "What the AWS role and the Google service account are called."
  type        = string
  default     = "chargeback"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.name))
    error_message = "name is 6 to 30 of a-z, 0-9 and -, beginning with a letter: a service account's name is no other."
  }
}

# AWS

variable "aws_region" {
  description = "Region of the bucket for documents and leases."
  type        = string
  default     = "eu-central-1"
}

variable "trusted_services" {
  description = "Services that may hand the role to the machine: ec2.amazonaws.com, or ecs-tasks.amazonaws.com for containers."
  type        = list(string)
  default     = ["ec2.amazonaws.com"]
}

variable "sources" {
  description = "The prefixes of chargeback.yaml's sources, without a slash at either end; an empty prefix is the whole bucket."
  type        = list(object({ bucket = string, prefix = string }))
  default = [
    { bucket = "example-ai-logs", prefix = "prod" },
    { bucket = "example-ai-logs", prefix = "litellm" },
  ]

  validation {
    condition     = length(var.sources) > 0 && alltrue([for s in var.sources : s.prefix == trim(s.prefix, "/")])
    error_message = "sources names at least one, and no prefix begins or ends with a slash."
  }
}

variable "source_files" {
  description = "Sources that are one object, such as the people file. It lies in a folder, because its folder is listed."
  type        = list(object({ bucket = string, key = string }))
  default     = []

  validation {
    condition     = alltrue([for f in var.source_files : can(regex("^[^/].*/[^/]+$", f.key))])
    error_message = "source_files: a key is folder/name."
  }
}

variable "source_kms_key_arns" {
  description = "Keys of your own that the sources are encrypted with. Their key policies must allow the role too."
  type        = list(string)
  default     = []
}

variable "bucket" {
  description = "The bucket that documents are delivered to and leases lie in."
  type        = string
  default     = "example-chargeback"
}

variable "create_bucket" {
  description = "Whether to make it, or to use one that is there. Once made, it is not destroyed by setting this to false: the plan fails."
  type        = bool
  default     = true
}

variable "bucket_kms_key_arn" {
  description = "A key of your own to encrypt it with; null leaves it to S3's keys. Its key policy must allow the role too."
  type        = string
  default     = null
}

variable "delivery_prefix" {
  description = "Where documents go: invoices.deliver_to, without a slash at either end."
  type        = string
  default     = "documents"

  validation {
    condition     = var.delivery_prefix != "" && var.delivery_prefix == trim(var.delivery_prefix, "/")
    error_message = "delivery_prefix is not empty and has no slash at either end."
  }
}

variable "lease_prefix" {
  description = "Where leases lie: warehouse.lease, without a slash at either end. Not below delivery_prefix."
  type        = string
  default     = "state"

  validation {
    condition     = var.lease_prefix != "" && var.lease_prefix == trim(var.lease_prefix, "/")
    error_message = "lease_prefix is not empty and has no slash at either end."
  }
}

# Google Cloud

variable "project" {
  description = "Project that the dataset lies in and that pays for queries."
  type        = string
  default     = "example-billing"
}

variable "dataset" {
  description = "The ledger's dataset: letters, digits and _."
  type        = string
  default     = "chargeback"
}

variable "location" {
  description = "Where dataset and staging bucket lie. It can't be changed later."
  type        = string
  default     = "EU"
}

variable "labels" {
  description = "Labels of the dataset and the staging bucket."
  type        = map(string)
  default     = { component = "chargeback" }
}

variable "staging_bucket" {
  description = "Bucket that large loads go through, such as example-chargeback-staging; null makes none."
  type        = string
  default     = null
}
