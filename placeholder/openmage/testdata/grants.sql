-- The least rights of the database user of placeholders, for a user catalog in
-- a database shop of OpenMage, with the table prefix om_ of schema.sql. The first
-- statement shows the names of the tables, and nothing of what is in them. CREATE
-- on the database is needed once, for the ledger's two tables.
GRANT SHOW VIEW ON `shop`.* TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON `shop`.`om_catalog_placeholder` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE ON `shop`.`om_catalog_placeholder_lock` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON `shop`.`om_catalog_product_entity` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON `shop`.`om_catalog_product_entity_int` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON `shop`.`om_catalog_product_entity_decimal` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON `shop`.`om_catalog_product_entity_varchar` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON `shop`.`om_catalog_product_entity_datetime` TO 'catalog'@'%';
GRANT SELECT, INSERT, DELETE ON `shop`.`om_catalog_product_website` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE ON `shop`.`om_cataloginventory_stock_item` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON `shop`.`om_catalog_product_entity_tier_price` TO 'catalog'@'%';
GRANT SELECT, INSERT, DELETE ON `shop`.`om_catalog_category_product` TO 'catalog'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON `shop`.`om_catalog_product_entity_group_price` TO 'catalog'@'%';
GRANT SELECT, DELETE ON `shop`.`om_report_event` TO 'catalog'@'%';
GRANT SELECT, UPDATE ON `shop`.`om_sales_flat_quote` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`om_sales_flat_quote_item` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`om_sales_flat_order` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`om_sales_flat_order_item` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`om_core_website` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`om_core_store` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`om_core_store_group` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`om_eav_attribute` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`om_eav_entity_type` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`om_eav_entity_attribute` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`om_core_config_data` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`om_tax_class` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`om_customer_group` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`om_salesrule` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`om_salesrule_product_attribute` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`om_catalog_category_entity` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`om_catalog_category_entity_varchar` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`om_wishlist_item` TO 'catalog'@'%';
GRANT SELECT ON `shop`.`om_report_event_types` TO 'catalog'@'%';
